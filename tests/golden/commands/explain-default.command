# The line of the default that decides a verb: its own word, else its group's, else its class's.
for access in read write create append setattr delete; do
	lsmctl explain --policies default.json --exe /usr/bin/d --open /srv/x --access $access
done
lsmctl explain --policies default.json --exe /usr/bin/d --exec /bin/x
lsmctl explain --policies default.json --exe /usr/bin/d --connect tcp:10.0.0.1:1
