lsmctl fmt - < ../good/default-classes.json && lsmctl fmt - < ugly.json
