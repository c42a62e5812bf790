# The same records by each level: what is generalised, and what is not.
for level in --tight "" --broad; do
	lsmctl learn shop --exe /usr/sbin/shopd --abstractions ../../../policies/abstractions $level --from records/learn.jsonl 2>&1 | sed -n '/include/,$p'
done
lsmctl learn shop --exe shopd --from records/learn.jsonl
lsmctl learn other --exe /usr/sbin/shopd --from records/learn.jsonl
# No program is known by the name of a link.
dir=$(mktemp -d)
ln -s /usr/bin/env "$dir/link"
lsmctl learn other --exe "$dir/link" 2>&1 | sed "s|$dir|DIR|"
rm -r "$dir"
# All that was seen is put to what came of it.
lsmctl learn shop --exe /usr/sbin/shopd --abstractions ../../../policies/abstractions --no-children --mode enforce --output /dev/null --from records/learn.jsonl
lsmctl learn shop --exe /usr/sbin/shopd --abstractions ../../../policies/abstractions --no-children --from records/learn.jsonl 2> /dev/null | grep subject
# An abstraction is for what none before it holds: without certificates there is no tls, and without what base is for there is nothing.
grep -v 'ssl' records/learn.jsonl | lsmctl learn shop --exe /usr/sbin/shopd --abstractions ../../../policies/abstractions --from - 2> /dev/null | grep include
grep '"exec"' records/learn.jsonl | lsmctl learn shop --exe /usr/sbin/shopd --abstractions ../../../policies/abstractions --from - 2> /dev/null | grep -c include
