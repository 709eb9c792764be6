#!/bin/sh
# Known answers for the groups of RFC 7919, made by OpenSSL 3:
#   sh ffdhe.sh > ffdhe.txt
# group, two private numbers, SHA-256 of both public values and of the secret.
set -e
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cd "$dir"
hex() { openssl pkey -in "$1" -text -noout | sed -n "/$2-key:/,/^[^ ]/p" | grep '^ ' | tr -d ' :\n'; }
unpadded() { sed 's/^\(00\)*//' | xxd -r -p | sha256sum | cut -d' ' -f1; }
echo "# Made by ffdhe.sh: group, private, private, SHA-256 of public, public, secret, all without leading zeros."
for group in ffdhe2048 ffdhe3072 ffdhe4096 ffdhe6144 ffdhe8192; do
	for side in a b; do
		openssl genpkey -algorithm DH -pkeyopt group:$group -out $side.pem
		openssl pkey -in $side.pem -pubout -out $side.pub
	done
	openssl pkeyutl -derive -inkey a.pem -peerkey b.pub -out secret
	openssl pkeyutl -derive -inkey b.pem -peerkey a.pub | cmp - secret
	echo $group "$(hex a.pem private)" "$(hex b.pem private)" "$(hex a.pem public | unpadded)" "$(hex b.pem public | unpadded)" "$(xxd -p secret | tr -d '\n' | unpadded)"
done
