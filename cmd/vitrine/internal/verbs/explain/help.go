package explain

// long is the help of the verb.
const long = `Make a TLS connection and explain it. First comes a ladder of its flights. Then,
in order of time, come the records and messages with their fields, each choice
and its reason, each secret and its source, the data and the close. vitrine
computes every value again that it can; if one disagrees, the exit code is 1.

Without HOST, vitrine starts a throw-away server on the loopback interface, so
you can watch any version, suite or way to resume. Name it to use it: even
dangerous ones need no --legacy there. With HOST (on port 443 if none is given;
a URL will do) it explains the live connection, or its failure.

Where HTTP/1.1 is agreed on, or no protocol is, vitrine sends "GET /" and reads
the answer, but for ports of another protocol, like 993. --send says what to
send instead, or that nothing is sent. With --early-data it connects twice, and
explains the second connection, which sends a text with its ClientHello (0-RTT).

With --listen it waits for a client of yours, like a browser. It explains the
connection from the server's side, success or failure; HTTP is answered. --count
takes several: text and traces hold all of them, and of -o FILE.json each gets
FILE-1.json and so on. A connection on which nothing was said does not count.
--cert gives the server's certificate, else the development authority has one,
as with vitrine serve. --client-auth asks clients for a certificate, which must
be of an authority in --ca if that is given.

With TRACE it explains a connection that -o FILE.ndjson has saved; - is standard
input. A trace holds secrets and keys only with --secrets; without, what they
prove is not checked again. -o FILE.pcapng makes a capture for Wireshark and the
like: the real records in made-up packets. With --secrets they open it. --redact
makes a trace to show to others, as in a bug report. Stand-ins take the place of
secrets, application data, names, addresses and what leads to them, and the rest
is as it was. It redacts a saved trace too, and any other form.

With -o FILE.html the account is a page for a browser. It has a story in ten
steps, the ladder to the scale of time, every byte with its name, and secrets
that the browser computes again. It is one file that loads nothing. --open shows
it. The page is in English or Chinese, as the browser prefers or --lang says.

With CAPTURE, a file of pcap or pcapng, it lists the TLS connections in it, on
any port and after STARTTLS, CONNECT and the like. If there is one, or --conn
says which, it explains that. Secrets in the file are used, and those of
--keylog, the private key of RSA key exchanges (--key) and pre-shared keys
(--psk). With --filter only some connections count. Its fields are sni, version,
suite, alpn, port, address, outcome, began, ja3, ja4 and number. Its words are
failed, resumed, decrypted, complete, midway and damaged; and, or, not and
parentheses join them. - reads standard input and lists connections as they end;
with --all it explains each as it ends.

--diagnose says why the connection fails: the cause and how sure it is. It also
says who is at fault, what shows it, and what to change. It takes what vitrine
explain takes: a host, a trace, a capture, a page, an account as JSON, or
--listen. Where a live connection does not tell, it makes up to 12 further ones
to HOST, each different in one thing: --trials bounds them. --for names the
programs in whose configuration the change is written. If something is wrong,
the exit code is 1.

With --diff it compares two connections: offers and their order, choices,
certificates, extensions, messages. It leaves out values that are new in every
connection, and times do not count. If anything differs, the exit code is 1.
FILE#2 is the second connection of a file.

On a terminal, $PAGER shows the text, less by default; set it to nothing for
none. The output holds the connection's secrets and data: guard it like a key.`

const examples = `  vitrine explain
  vitrine explain --suites AES128-SHA --summary
  vitrine explain --resume ticket
  vitrine explain --early-data 'GET / HTTP/1.0\r\n\r\n'
  vitrine explain --max ssl3.0 --suites RC4-MD5
  vitrine explain --renegotiate server --client-auth
  vitrine explain --fail expired
  vitrine explain example.com
  vitrine explain example.com --json -o example.json
  vitrine explain example.com -o example.ndjson
  vitrine explain example.ndjson
  vitrine explain example.com --secrets -o example.pcapng
  vitrine explain example.com --redact -o report.ndjson
  vitrine explain --diagnose example.com
  vitrine explain --diagnose example.com --for nginx,curl
  vitrine explain --diagnose traffic.pcapng --json
  vitrine explain --diff example.com example.ndjson
  vitrine explain example.com -o example.html --open
  vitrine explain -o page.html --lang zh
  vitrine explain traffic.pcapng
  vitrine explain traffic.pcapng --keylog keys.txt --conn 7
  tcpdump -w - | vitrine explain - --keylog keys.txt
  tcpdump -w - | vitrine explain - --all --summary
  vitrine explain traffic.pcapng --filter "sni=*.example.com" --all -o DIR
  vitrine explain --listen :8443 --count 3
  vitrine explain mail.example.com:465 --alpn "" --send 'EHLO me\r\n'`
