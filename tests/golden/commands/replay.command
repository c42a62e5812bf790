# What was only recorded would be refused by a policy that allows less.
lsmctl replay records/learn.jsonl --policies records/shop.json --abstractions ../../../policies/abstractions
lsmctl replay records/learn.jsonl --policies records/shop.json --abstractions ../../../policies/abstractions --verb connect --json
lsmctl replay records/learn.jsonl
