lsmctl test sock.test.json
