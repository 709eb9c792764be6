// Package certs reads certificates, and what stands beside them, from files and from
// servers, and describes them for people. What crypto/x509 cannot read is described all
// the same, by the lenient parser of zmap/zcrypto, and never trusted.
package certs
