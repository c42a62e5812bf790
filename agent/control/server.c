// SPDX-License-Identifier: LGPL-2.1-or-later
/* The control socket's listening side. */
#include "agent/control/server.h"

#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/control/message.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/log.h"

struct client {
	struct server *server;
	uint64_t id; /* 0: the slot is free */
	int fd;
	sd_event_source *source;
	struct peer peer;
	struct buf in;
	struct buf out;
	size_t sent; /* bytes of out */
	bool follows;
	bool learns;
	bool waits; /* a request is being answered */
	bool ends; /* close once out is empty */
	uint64_t missed; /* events that found no room */
};

struct server {
	sd_event *event;
	char *path;
	int fd;
	sd_event_source *source;
	server_fn fn;
	void *data;
	struct log_limit refusals;
	uint64_t last_id;
	struct client clients[SERVER_CLIENTS_MAX];
};

static void client_close(struct client *client)
{
	if (!client->id)
		return;
	sd_event_source_disable_unref(client->source);
	close(client->fd);
	buf_free(&client->in);
	buf_free(&client->out);
	*client = (struct client){ .fd = -1 };
}

static size_t client_waiting(const struct client *client)
{
	return client->out.len - client->sent;
}

/* As much as the socket takes now. */
static void client_flush(struct client *client)
{
	while (client_waiting(client)) {
		ssize_t n = send(client->fd, client->out.bytes + client->sent, client_waiting(client),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			client_close(client);
			return;
		}
		client->sent += n;
	}
	if (!client_waiting(client)) {
		buf_free(&client->out);
		client->sent = 0;
		if (client->ends) {
			client_close(client);
			return;
		}
	}
	sd_event_source_set_io_events(client->source, EPOLLIN | (client_waiting(client) ? EPOLLOUT : 0));
}

static int client_add(struct client *client, const json_t *message)
{
	int r = message_add(&client->out, message, MESSAGE_REPLY_MAX);

	if (client->out.failed) {
		client_close(client);
		return -ENOMEM;
	}
	return r;
}

void client_reply(struct client *client, json_t *reply)
{
	int r = reply ? client_add(client, reply) : -ENOMEM;

	json_decref(reply);
	if (!client->id)
		return;
	client->waits = false;
	if (r == MESSAGE_TOO_LARGE)
		client_error(client, "the answer is too large for one message");
	else if (r)
		client_close(client);
	else
		client_flush(client);
}

void client_error(struct client *client, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	json_t *reply;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		text = NULL;
	reply = json_pack("{s:b, s:s}", "ok", 0, "error", text ? text : "the agent has run out of memory");
	if (reply)
		client_reply(client, reply);
	else
		client_close(client);
}

uint64_t client_id(const struct client *client)
{
	return client->id;
}

struct client *server_client(struct server *server, uint64_t id)
{
	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
		if (id && server->clients[i].id == id)
			return &server->clients[i];
	return NULL;
}

const struct peer *client_peer(const struct client *client)
{
	return &client->peer;
}

void client_follow(struct client *client, bool learns)
{
	client->follows = true;
	client->learns = learns;
}

static bool client_wants(const struct client *client, bool learners)
{
	return client->id && client->follows && (client->learns || !learners);
}

bool server_has_followers(const struct server *server, bool learners)
{
	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
		if (client_wants(&server->clients[i], learners))
			return true;
	return false;
}

/* What a follower missed is said before the next event that finds room. */
static void follower_add(struct client *client, const json_t *message)
{
	json_t *missed;

	if (client_waiting(client) > SERVER_EVENTS_BYTES) {
		client->missed++;
		return;
	}
	if (client->missed) {
		missed = json_pack("{s:b, s:I}", "ok", 1, "missed", (json_int_t)client->missed);
		if (!missed || client_add(client, missed)) {
			json_decref(missed);
			client->missed++;
			return;
		}
		json_decref(missed);
		client->missed = 0;
	}
	if (client_add(client, message) == 0)
		client_flush(client);
}

void server_broadcast(struct server *server, json_t *message, bool learners)
{
	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
		if (message && client_wants(&server->clients[i], learners))
			follower_add(&server->clients[i], message);
	json_decref(message);
}

/* Requests are answered one by one: the next is taken when the last was answered. */
static void client_requests(struct client *client)
{
	while (client->id && !client->waits && !client->ends) {
		json_t *request;
		size_t used;
		int r = message_take(client->in.bytes, client->in.len, MESSAGE_REQUEST_MAX, &request, &used);

		if (r == MESSAGE_PARTIAL)
			return;
		if (r) {
			client->ends = true;
			client_error(client, r == MESSAGE_TOO_LARGE
						     ? "the request is too large"
						     : "the request is no JSON object that the agent knows");
			return;
		}
		memmove(client->in.bytes, client->in.bytes + used, client->in.len - used);
		client->in.len -= used;
		client->waits = true;
		client->server->fn(client->server->data, client, request);
		json_decref(request);
	}
}

static void client_read(struct client *client)
{
	char bytes[16384];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A client that talks on while its request is answered fills its own buffer, not ours. */
	if (n <= 0 || client->in.len + n > MESSAGE_REQUEST_MAX + sizeof(bytes)) {
		client_close(client);
		return;
	}
	buf_add(&client->in, bytes, n);
	if (client->in.failed)
		client_close(client);
	else
		client_requests(client);
}

static int client_ready(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct client *client = data;

	if (events & EPOLLOUT)
		client_flush(client);
	if (client->id && events & EPOLLIN)
		client_read(client);
	else if (client->id && events & (EPOLLHUP | EPOLLERR))
		client_close(client);
	if (client->id)
		client_requests(client);
	return 0;
}

/* A free slot, or that of the oldest connection that neither waits for an answer nor follows. */
static struct client *slot_find(struct server *server)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++) {
		struct client *client = &server->clients[i];

		if (!client->id)
			return client;
		if (!client->waits && !client->follows && (!oldest || client->id < oldest->id))
			oldest = client;
	}
	if (oldest)
		client_close(oldest);
	return oldest;
}

/* One message to a connection that is not let in; whether it is read does not matter. */
static void connection_refuse(int fd, const char *why)
{
	_cleanup_buf_ struct buf out = {};
	json_t *reply = json_pack("{s:b, s:s}", "ok", 0, "error", why);

	if (reply && !message_add(&out, reply, MESSAGE_REPLY_MAX))
		(void)!send(fd, out.bytes, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	json_decref(reply);
}

static int connection_take(struct server *server, int fd, const struct peer *peer)
{
	struct client *client = slot_find(server);
	int r;

	if (!client) {
		connection_refuse(fd, "the agent has as many connections as it takes");
		return -EBUSY;
	}
	*client = (struct client){ .server = server, .id = ++server->last_id, .fd = fd, .peer = *peer };
	r = sd_event_add_io(server->event, &client->source, fd, EPOLLIN, client_ready, client);
	if (r < 0)
		*client = (struct client){ .fd = -1 };
	return r < 0 ? r : 0;
}

static int server_ready(sd_event_source *source, int listen_fd, uint32_t events, void *data)
{
	_cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct server *server = data;
	struct peer peer;
	int r;

	if (fd < 0)
		return 0;
	r = peer_check(fd, &peer);
	if (r) {
		connection_refuse(fd, peer_refusal(r));
		log_limited(&server->refusals, r, "Control connection of process %d, user %u, refused: %s", peer.pid,
			    peer.uid, peer_refusal(r));
		return 0;
	}
	r = connection_take(server, fd, &peer);
	if (r)
		log_limited(&server->refusals, r, "Control connection of process %d not taken", peer.pid);
	else
		TAKE_FD(fd);
	return 0;
}

static int directory_make(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	return mkdir(dirname(copy), 0755) && errno != EEXIST ? -errno : 0;
}

/* The mode is right from the first moment on: bind() makes the file by the umask. */
static int socket_bind(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t before;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (unlink(path) && errno != ENOENT)
		return -errno;
	before = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	umask(before);
	if (!r && listen(fd, SERVER_CLIENTS_MAX))
		r = -errno;
	return r;
}

int server_open(sd_event *event, const char *path, server_fn fn, void *data, struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server));
	int r = directory_make(path);

	if (!server)
		return -ENOMEM;
	server->event = event;
	server->fn = fn;
	server->data = data;
	server->path = strdup(path);
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!r)
		r = !server->path ? -ENOMEM : server->fd < 0 ? -errno : socket_bind(server->fd, path);
	if (!r)
		r = sd_event_add_io(event, &server->source, server->fd, EPOLLIN, server_ready, server);
	if (r < 0) {
		server_close(server);
		return r;
	}
	*ret = server;
	return 0;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
		client_close(&server->clients[i]);
	if (server->source) {
		unlink(server->path);
		sd_event_source_disable_unref(server->source);
	}
	if (server->fd >= 0)
		close(server->fd);
	free(server->path);
	free(server);
}
