lsmctl show --json web.json
