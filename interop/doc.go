// Package interop runs vitrine against real TLS implementations, both as
// client and as server. It is a test package and exports nothing.
//
//	go test ./interop                                   // with the peers that are installed
//	go test -v -run 'TestMatrix/server/gnutls' ./interop // one peer, our role, or one cell
//	VITRINE_INTEROP=require go test ./interop           // a missing peer fails, as with CI=true
//	VITRINE_INTEROP=off go test ./...                   // leave the matrix out
//	go test -short ./interop                            // leave the pairwise mix out
//
// The peers are child processes: OpenSSL's s_client and s_server, GnuTLS's
// gnutls-cli and gnutls-serv, NSS's tstclnt and selfserv, curl, Node's tls
// module and Chromium. Go's crypto/tls runs in the test's own process. On Debian:
//
//	apt-get install openssl gnutls-bin libnss3-tools curl nodejs chromium tshark default-jre-headless \
//		postfix dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-managesieved slapd ldap-utils postgresql mariadb-server prosody vsftpd \
//		nginx apache2 haproxy caddy stunnel4 sslscan inspircd xrdp inn2
//
// A TestMatrix cell is one combination of version, cipher suite, group, key
// type, client authentication, resumption and so on (cell_test.go). Each cell
// shakes hands, sends data both ways, compares what was negotiated as seen by
// us and as printed by the peer, and closes cleanly. The result is a table in
// the test's output: "ok", "FAIL", or "-" and the reason why the peer cannot.
// Rows that no table could hold, a pairwise mix of all axes, are counted in
// the last row.
//
// TestEveryRow wants a peer for each row in each role, or a reason why there
// is none. TestRefusals makes connections that must fail, with the right alert.
//
// TestStartTLS has Postfix, Dovecot, OpenLDAP, PostgreSQL, MariaDB, Prosody and vsftpd turn to
// TLS; of vsftpd it fetches a file over a data connection that resumes. They take root.
// TestStartTLSOfChatsAndDesktops does the same with InspIRCd, xrdp and INN. In
// TestStartTLSInFrontOfServers servers stay in the clear behind a proxy, and curl, openssl,
// ldapsearch and psql find TLS in front.
//
// TestScan has package scan look at real servers of known configuration, a row for each
// (scan_*_test.go): what it finds must be what was configured. TestScanAgreesWithSSLScan
// compares with sslscan, and where VITRINE_TESTSSL is set, TestScanAgreesWithTestSSL with
// testssl.sh, which takes minutes.
//
// TestDiagnose has clients fail at real servers, each for a reason that is known, which
// package explain/diagnose must find.
//
// TestAuthority has OpenSSL, GnuTLS, NSS, curl, Chromium and Java judge what `vitrine cert
// ca` makes, and TestTheirAuthority judges what `openssl ca`, `openssl ocsp` and certtool
// make.
//
// TestChromiumServe loads pages with the real browser, the last one from `vitrine
// serve` over HTTP/2. TestKeyLog captures our own connections and has tshark
// decrypt them with our key log.
//
// TestSwap changes the import path of other people's programs from crypto/tls to ours, and
// runs their own tests. It fetches them by the Go module proxy.
//
// # To add a peer
//
// Write one file with a peer value: its programs, what it lacks in either
// role, Serve and Connect. Both say what the peer printed as a facts map; a
// fact that the peer does not print is left out. Then add it to the list in
// peers_test.go and its Debian package to .ci/run.
package interop
