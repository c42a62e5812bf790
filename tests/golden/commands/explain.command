lsmctl explain --policies web.json --exe /usr/sbin/nginx --open /srv/www/.git/x
lsmctl explain --policies web.json --exe /usr/sbin/nginx --open /srv/www/x
lsmctl explain --policies web.json --exe /usr/sbin/nginx --open /etc/x
lsmctl explain --policies web.json --exe /usr/bin/other --open /etc/x
lsmctl explain --policies web.json --exe /usr/sbin/nginx --connect tcp:10.0.0.1:1
