// Package capture reads TLS connections from captures of packets: which there are, and
// with keys, all that was said on them.
//
// # Reading
//
// Read takes a file of pcap or pcapng (gzip may have compressed it) and calls
// Options.Found for each connection on which it finds TLS:
//
//	totals, err := capture.Read(file, capture.Options{
//		Found: func(c *capture.Connection) error {
//			fmt.Println(c.Number, c.Client, c.Server, c.Name, c.Version, c.Outcome, c.JA4)
//			return nil
//		},
//	})
//
// It reads both byte orders, micro- and nanoseconds and any other unit, several
// interfaces and sections, and comments. Packets may begin with Ethernet, Linux's
// cooked headers (v1, v2), BSD's loopback headers, PPP, PPPoE or IP. Read passes over
// VLAN tags, and looks into one tunnel (GRE, VXLAN, IP in IP). Fragments of IPv4
// and IPv6 are put together. Totals.Notes says what was passed over.
//
// # Finding TLS
//
// The port does not matter: TLS is where a hello stands, of TLS or in the format of SSL 2.0.
// It may begin after something else. Connection.Began names it: STARTTLS of SMTP, IMAP,
// LDAP, XMPP and others, HTTP CONNECT, a PROXY header, PostgreSQL's SSLRequest, or a
// few bytes of a protocol that is not known. A connection that was captured from the middle is found
// by its records, and is Midway.
//
// # What is said, and what is not guessed
//
// The segments of each direction are put into order by their numbers. What was seen
// first holds: if a segment comes again with other content, Connection.Conflicts counts
// it, up to 64 KiB back. It may be an attack on the person that reads the capture.
// Checksums are not looked at, since network cards complete them after the capture.
//
// Missing bytes are Gaps: packets that the capture lost, and the rest of those that a
// snap length cut. A direction is handed on only as far as the other side had seen it when it
// sent what comes next. So a gap is declared when the other side has acknowledged what
// the capture does not have, and 64 packets or 2 seconds later it has not come.
//
// # Decrypting
//
// Keys holds what is known besides: a key log, which may grow while it is read, RSA
// private keys, pre-shared keys. Secrets in the capture (Decryption Secrets Blocks) are
// added. Options.Trace then gets the events of a connection, as a live one makes them:
//
//	var collector explain.Collector
//	options.Trace = func(c *capture.Connection, now func() time.Time) *trace.Hooks {
//		if c.Number != 1 {
//			return nil
//		}
//		collector.Now = now
//		return collector.Hooks()
//	}
//
// A session that is resumed opens with the connection that agreed on it, if
// Options.Decrypt is set or Trace wants that one too. If secrets come behind the packets that they open, read the
// capture twice, with the same Keys.
//
// # Bounds
//
// A capture may be made to exhaust its reader. At a time Read keeps at most
//
//   - 65,536 TCP connections, of them 16,384 with TLS
//   - 24 MiB of segments that wait for others, 4 MiB for each direction
//   - 16 MiB of what was handed on, to find conflicts
//   - 8 MiB of what precedes TLS
//   - 128 datagrams in fragments
//   - 32 MiB of secrets
//
// Beyond that the oldest makes room: a connection then ends early (Crowded), and
// segments become gaps. Blocks that nobody needs are passed over, however long they are.
package capture
