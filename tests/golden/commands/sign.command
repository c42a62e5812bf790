umask 022; dir=$(mktemp -d) && cd "$dir" && mkdir -p p &&
printf '%s\n' '-----BEGIN PRIVATE KEY-----' 'MC4CAQAwBQYDK2VwBCIEIGEgcHJpdmF0ZSBrZXkgb2YgdGhpcnR5LXR3byBieXRl' '-----END PRIVATE KEY-----' > key && chmod 600 key &&
printf '%s\n' '-----BEGIN PUBLIC KEY-----' 'MCowBQYDK2VwAyEAjaOJP92RIU4ICow69rkPO/g9SpSOXTndrxtSmlQBKKY=' '-----END PUBLIC KEY-----' > key.pub &&
printf '{ "policies": "%s/p", "vendor_policies": "%s/v", "signed_by": ["%s/key.pub"], "signature": "%s/sig", "serial_file": "%s/serial" }' "$dir" "$dir" "$dir" "$dir" "$dir" > s.json &&
printf '{ "version": 1, "name": "a", "subject": { "exe": "/usr/sbin/a" }, "default": "allow",\n  "rules": [ { "deny": "read", "path": "/srv/a" } ] }\n' > p/a.json
say() { echo "\$ lsmctl $*"; lsmctl --settings s.json "$@" < /dev/null; r=$?; [ $r -eq 0 ] || echo "status $r"; }
{
say check --quiet
say sign --key key
sed 's/ [0-9a-f]\{128\}$/ SIGNATURE/' sig
say check | sed 's/; image.*us; /; /'
sed -i s/deny/allow/ p/a.json; say check --quiet; say check --quiet --unsigned
say sign --key key --json
sed -i 's/serial 2/serial 3/' sig; say check --quiet
echo broken > p/b.json; say sign --key key; rm p/b.json
chmod 644 key; say sign --key key; chmod 600 key; say sign --key key.pub
say sign --key key --serial 0
say sign
say sign --new-key key
printf '{ "version": 1, "name": "a", "mode": "audit", "subject": { "exe": "/usr/sbin/a" }, "default": "allow",\n  "rules": [ { "deny": "read", "path": "/srv/" } ] }\n' > p/b.json
say promote a --force --from -
mkdir -p root/etc/lsmd/policies.d; mv p/b.json root/etc/lsmd/policies.d; printf '{ "signed_by": ["%s/key.pub"] }' "$dir" > s.json
say sign --key key --root root --serial 5; sed -n '2,3s/[0-9a-f]\{64\}/SUM/p' root/etc/lsmd/policies.sig; say sign --key key --root root
} 2>&1 | sed "s|$dir|DIR|g; s/^key [0-9a-f]*:/key ID:/"
rm -rf "$dir"
