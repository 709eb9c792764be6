// Package keyprocess keeps private keys in a process of their own. The process that faces the network asks
// it for signatures and holds no key: what reads its memory reads none.
//
//	keys, err := keyprocess.Start(keyprocess.Options{
//		Command: []string{self, "proxy", "keys"},
//		Pairs:   []keyprocess.Pair{{Cert: "chain.pem", Key: "key.pem"}},
//	})
//	...
//	pair, err := keys.Load("chain.pem", "key.pem") // a tls.Certificate whose key is far away
//
// The command calls [Serve] on its standard input and output, which are pipes that no other process has. It keeps the
// user that it was started as, so it can go on reading files that are readable by root alone. It reads the pairs of
// files that it was started for, and does nothing else: its sandbox has no network, no other folders, no writing and
// no other programs (see package harden).
//
// It does three things when asked. It reads one of those pairs again, and gives back the chain alone. It signs. And it
// opens a premaster secret of RSA key exchange. Messages, files and their number at once are bounded.
//
// The key process ends with the process that started it. If it ends before, it is not started again, since a process in
// a sandbox starts none: handshakes fail, their error says why, and [Process.Done] tells the owner to end too.
package keyprocess
