// Package engine is one connection without I/O: bytes in; bytes, plaintext and
// errors out. It has no sockets, goroutines or channels.
//
//	engine.go     the connection, and its handshake
//	in.go         the half that reads: its state, application data, alerts, budgets
//	receive.go    the buffer that bytes are received into
//	deframe.go    one record: its header judged, then opened
//	messages.go   handshake messages out of records, during the handshake and after
//	out.go        the half that writes: flights, sealing, alerts, key updates
//	buffers.go    the pooled buffers both lend
//	control.go    the one queue between the halves
//
// During the handshake one goroutine uses it all. After that the In methods
// may run beside the Out methods, each set under a lock of the caller.
package engine
