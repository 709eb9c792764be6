#!/bin/sh
# DSA keys and signatures of the words "a vitrine is a glass case", made by
# OpenSSL 3:   sh dss.sh > dss.txt
# bits of p, bits of q, key as PKCS #8, key as OpenSSL's own, public key (SPKI),
# signature by SHA-1, by SHA-256.
set -e
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cd "$dir"
hex() { xxd -p | tr -d '\n'; }
printf 'a vitrine is a glass case' >words
echo "# Made by dss.sh: p bits, q bits, PKCS #8, DSA PRIVATE KEY, SPKI, signature by SHA-1, by SHA-256."
for size in "1024 160" "2048 224" "2048 256" "3072 256"; do
	set -- $size
	openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:$1 -pkeyopt dsa_paramgen_q_bits:$2 -out param 2>/dev/null
	openssl genpkey -paramfile param -out key
	echo $1 $2 "$(openssl pkcs8 -topk8 -nocrypt -in key -outform DER | hex)" "$(openssl pkey -in key -traditional | sed /----/d | base64 -d | hex)" \
		"$(openssl pkey -in key -pubout -outform DER | hex)" \
		"$(openssl dgst -sha1 -sign key words | hex)" "$(openssl dgst -sha256 -sign key words | hex)"
done
