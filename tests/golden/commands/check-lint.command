lsmctl check --quiet lint.json
