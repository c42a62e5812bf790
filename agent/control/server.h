/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The listening side of the control socket: bounded clients, bounded messages, nothing that waits. A client that does not read
 * loses events (and is told how many), or its connection when not even a reply finds room.
 */
#ifndef LSMD_CONTROL_SERVER_H
#define LSMD_CONTROL_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/control/peer.h"

#define SERVER_CLIENTS_MAX 32
/* Bytes of events waiting for one listener; a reply may take MESSAGE_REPLY_MAX more. */
#define SERVER_EVENTS_BYTES (1u << 20)

struct server;
struct client;

/**
 * A request's answer is due by client_reply(), now or later.
 * @request: borrowed
 */
typedef void (*server_fn)(void *data, struct client *client, const json_t *request);

/**
 * server_open() - listen at @path, mode 0600, in a directory that is made (0755) where it is missing
 * @fn: called for each request of a peer that peer_check() let in
 * Return: 0, -errno. A socket that an earlier agent left is replaced: the caller holds the lock that makes it the only one.
 */
int server_open(sd_event *event, const char *path, server_fn fn, void *data, struct server **ret);

/** server_close() - ends all connections; the socket's name is removed */
void server_close(struct server *server);

/** client_id() - for later: server_client() gives the client again, or NULL when it has gone */
uint64_t client_id(const struct client *client);
struct client *server_client(struct server *server, uint64_t id);
const struct peer *client_peer(const struct client *client);

/** client_reply() - takes the reference. A reply that is too large is replaced by an error that says so. */
void client_reply(struct client *client, json_t *reply);

/** client_error() - {"ok": false, "error": …} */
void client_error(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** client_follow() - server_broadcast() reaches this client from now on; @learns: with what only learners want, too */
void client_follow(struct client *client, bool learns);

/** server_has_followers() - @learners: of those that learn */
bool server_has_followers(const struct server *server, bool learners);

/** server_broadcast() - to every follower (@learners: that learns) that has room; takes the reference */
void server_broadcast(struct server *server, json_t *message, bool learners);

#endif
