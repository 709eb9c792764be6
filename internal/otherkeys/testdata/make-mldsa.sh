#!/bin/sh
# Keys and certificates of ML-DSA, by OpenSSL 3.5 or newer, beside those of make.sh:
#   OPENSSL="path/of/openssl" sh make-mldsa.sh
# NAME-key.pem and NAME.pem, for the name example.test: mldsa44, mldsa65 and mldsa87 by ca.pem (ECDSA);
# mldsa-ca signs itself, mldsa-below is an authority with an ML-DSA key under ca.pem; by-mldsa is ECDSA and mldsa-by-mldsa
# ML-DSA-44, both by mldsa-ca; mldsa-mixed is ML-DSA-44 by mldsa-below. mldsa44's key stands also in mldsa44-seed-key.pem
# and mldsa44-expanded-key.pem. slhdsa.pem has a key of SLH-DSA. mldsa-ca.crl is a list of mldsa-ca
# that has by-mldsa on it.
set -e
cd "$(dirname "$0")"
o=${OPENSSL:-openssl}
extensions='basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:example.test
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid'
authority='basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash'
key() { $o genpkey -quiet -algorithm "$2" -out "$1-key.pem"; }
ec() { $o genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1-key.pem"; }
issue() { # NAME ISSUER EXTENSIONS
	$o req -new -key "$1-key.pem" -subj "/CN=$1" -out "$1.csr"
	echo "$3" | $o x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2-key.pem" -days 36500 \
		-set_serial "$(printf '%s' "$1" | cksum | cut -d' ' -f1)" -extfile /dev/stdin -out "$1.pem"
	rm "$1.csr"
}
for n in 44 65 87; do key mldsa$n ML-DSA-$n && issue mldsa$n ca "$extensions"; done
$o pkey -in mldsa44-key.pem -provparam ml-dsa.output_formats=seed-only -out mldsa44-seed-key.pem
$o pkey -in mldsa44-key.pem -provparam ml-dsa.output_formats=priv-only -out mldsa44-expanded-key.pem
key mldsa-ca ML-DSA-65
$o req -x509 -key mldsa-ca-key.pem -subj /CN=mldsa-ca -days 36500 -out mldsa-ca.pem -config /dev/stdin -extensions x <<END
[req]
distinguished_name = n
[n]
[x]
$authority
END
ec by-mldsa && issue by-mldsa mldsa-ca "$extensions"
key mldsa-by-mldsa ML-DSA-44 && issue mldsa-by-mldsa mldsa-ca "$extensions"
key mldsa-below ML-DSA-87 && issue mldsa-below ca "$authority"
key mldsa-mixed ML-DSA-44 && issue mldsa-mixed mldsa-below "$extensions"
key slhdsa SLH-DSA-SHA2-128s && issue slhdsa ca "$extensions" && rm slhdsa-key.pem
folder=$(mktemp -d)
: >"$folder/index" && echo 01 >"$folder/number"
cat >"$folder/conf" <<END
[ca]
default_ca = x
[x]
database = $folder/index
crlnumber = $folder/number
END
$o ca -config "$folder/conf" -revoke by-mldsa.pem -keyfile mldsa-ca-key.pem -cert mldsa-ca.pem
$o ca -config "$folder/conf" -gencrl -keyfile mldsa-ca-key.pem -cert mldsa-ca.pem -crldays 36500 -out mldsa-ca.crl
rm -r "$folder"
