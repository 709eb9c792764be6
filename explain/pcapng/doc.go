// Package pcapng writes connections as a capture, as if their packets had been recorded,
// so that programs like Wireshark open them.
//
// The records are those of the connection, with their times. What is below TLS is made
// up: Ethernet frames, the addresses 192.0.2.1 of the client and 198.51.100.1 of the
// server (RFC 5737), the server's port 443, a TCP connection without losses. The comment
// of the file says so.
//
// With Options.Secrets a Decryption Secrets Block stands before the packets, which holds
// the key log of the connections: anyone with the file can read what was said. Guard it like
// a key then.
package pcapng
