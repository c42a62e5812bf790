lsmctl show ../good/include.json --abstractions ../abstractions
