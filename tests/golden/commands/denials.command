# What was refused, and what would have been; a line that is no record is said and left out.
export TZ=UTC LC_ALL=C
lsmctl denials --from records/events.jsonl
lsmctl denials --from records/events.jsonl --program 'redis*' --top 1 --json
lsmctl denials --from records/events.jsonl --answer logged
lsmctl denials --answer never
lsmctl denials --since yesterday
