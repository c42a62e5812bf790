lsmctl diff web.json web-open.json
