lsmctl diff web.json web-two.json
