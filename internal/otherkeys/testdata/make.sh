#!/bin/sh
# Keys and certificates that crypto/x509 does not make, by OpenSSL 3:   sh make.sh
# NAME-key.pem and NAME.pem, for the name example.test, by the authority ca.pem (ECDSA) unless the
# name says another: by-pss and by-ed448 are signed with the keys of pss-ca and ed448-ca, by-rsa224 and
# by-ecdsa224 over SHA-224 with those of rsa-ca and ca.
set -e
cd "$(dirname "$0")"
extensions='basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:example.test
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid'
authority='basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash'
ca() { # NAME
	openssl req -x509 -key "$1-key.pem" -subj "/CN=$1" -days 36500 -out "$1.pem" -config /dev/stdin -extensions x <<-END
		[req]
		distinguished_name = n
		[n]
		[x]
		$authority
	END
}
leaf() { # NAME ISSUER OPTIONS
	name=$1 issuer=$2
	shift 2
	openssl req -new -key "$name-key.pem" -subj "/CN=$name" -out "$name.csr"
	echo "$extensions" | openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer-key.pem" -days 36500 \
		-set_serial "$(printf '%s' "$name" | cksum | cut -d' ' -f1)" -extfile /dev/stdin -out "$name.pem" "$@"
	rm "$name.csr"
}
ec() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1-key.pem"; }
pss() { # NAME BITS OPTIONS
	name=$1 bits=$2
	shift 2
	openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt "rsa_keygen_bits:$bits" "$@" -out "$name-key.pem"
}
limits() { echo "-pkeyopt rsa_pss_keygen_md:$1 -pkeyopt rsa_pss_keygen_mgf1_md:$2 -pkeyopt rsa_pss_keygen_saltlen:$3"; }

ec ca && ca ca
pss pss 2048 && leaf pss ca
pss pss256 2048 $(limits sha256 sha256 32) && leaf pss256 ca
pss pss384 2048 $(limits sha384 sha384 48) && leaf pss384 ca
pss pss512 2048 $(limits sha512 sha512 20) && leaf pss512 ca
pss pss-sha1 2048 $(limits sha1 sha1 20) && leaf pss-sha1 ca
pss pss-salt 2048 $(limits sha256 sha256 33) && leaf pss-salt ca
pss pss-mask 2048 $(limits sha256 sha1 32) && leaf pss-mask ca
pss pss1024 1024 && leaf pss1024 ca
openssl genpkey -quiet -algorithm ed448 -out ed448-key.pem && leaf ed448 ca
pss pss-ca 2048 $(limits sha256 sha256 32) && ca pss-ca
ec by-pss && leaf by-pss pss-ca
openssl genpkey -quiet -algorithm ed448 -out ed448-ca-key.pem && ca ed448-ca
ec by-ed448 && leaf by-ed448 ed448-ca
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa-ca-key.pem && ca rsa-ca
ec by-rsa224 && leaf by-rsa224 rsa-ca -sha224
ec by-ecdsa224 && leaf by-ecdsa224 ca -sha224
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa-key.pem && leaf rsa ca
