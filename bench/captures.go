package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/tls"
)

// The capture that is measured: so many connections of TLS 1.3, on which the client sends
// so many bytes each, in segments as they are on Ethernet.
const (
	capturedBytes   = 1 << 20
	capturedSegment = 1448
	captureFile     = "traffic.pcap"
	captureKeys     = "traffic.keys"
)

// writeCapture makes the capture of n connections in dir, with its key log, unless there
// is one.
func writeCapture(dir string, n int) (err error) {
	name := filepath.Join(dir, captureFile)
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	said, log, err := converse(dir)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, captureKeys), log, 0o600); err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	head := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	head = binary.LittleEndian.AppendUint32(head, 2|4<<16)
	head = append(head, make([]byte, 8)...)
	head = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(head, 256<<10), 1)
	_, _ = w.Write(head) // w keeps its first error
	p := packets{w: w}
	for i := range n {
		p.connection(i, said)
	}
	return errors.Join(w.Flush(), file.Close())
}

// said is what one side said at a time.
type said struct {
	server bool
	b      []byte
}

// heard is an end of a connection that keeps what is said on it.
type heard struct {
	net.Conn
	mu  sync.Mutex
	all []said
}

func (c *heard) Read(b []byte) (n int, err error) {
	n, err = c.Conn.Read(b)
	c.keep(true, b[:n])
	return n, err
}

func (c *heard) Write(b []byte) (int, error) {
	c.keep(false, b)
	return c.Conn.Write(b)
}

func (c *heard) keep(server bool, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, said{server, bytes.Clone(b)})
}

// converse makes a connection, and returns what was said and the key log.
func converse(dir string) (all []said, log []byte, err error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "ecdsa.pem"), filepath.Join(dir, "ecdsa.pem"))
	if err != nil {
		return nil, nil, err
	}
	near, far := net.Pipe()
	var keys bytes.Buffer
	listened := &heard{Conn: near}
	client := tls.Client(listened, &tls.Config{InsecureSkipVerify: true, KeyLogWriter: &keys})
	server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{cert}})
	served := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, server)
		served <- errors.Join(err, server.Close())
	}()
	_, err = client.Write(make([]byte, capturedBytes))
	err = errors.Join(err, client.Close(), <-served)
	return listened.all, keys.Bytes(), err
}

// packets writes packets of Ethernet, IPv4 and TCP.
type packets struct {
	w    io.Writer
	buf  []byte
	next [2]uint32 // sequence numbers of client and server
}

// connection writes connection i, from an address of its own.
func (p *packets) connection(i int, all []said) {
	p.next = [2]uint32{1, 1}
	const syn, fin, ack = 2, 1, 16
	p.packet(i, false, syn, nil)
	p.packet(i, true, syn|ack, nil)
	p.next = [2]uint32{2, 2}
	for _, s := range all {
		for n := 0; len(s.b) > 0; n++ {
			part := s.b[:min(len(s.b), capturedSegment)]
			s.b = s.b[len(part):]
			p.packet(i, s.server, ack, part)
			if n%2 == 1 || len(s.b) == 0 { // every second segment is acknowledged
				p.packet(i, !s.server, ack, nil)
			}
		}
	}
	p.packet(i, false, fin|ack, nil)
	p.packet(i, true, fin|ack, nil)
}

func (p *packets) packet(i int, server bool, flags byte, payload []byte) {
	const headers = 14 + 20 + 20
	from, to := 0, 1
	if server {
		from, to = 1, 0
	}
	b := binary.LittleEndian.AppendUint32(p.buf[:0], 1_700_000_000+uint32(i))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(headers+len(payload)))
	b = binary.LittleEndian.AppendUint32(b, uint32(headers+len(payload)))
	b = append(b, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 8, 0)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(headers-14+len(payload)))
	b = append(b, 0, 0, 0, 0, 64, 6, 0, 0)
	client := binary.BigEndian.AppendUint32(nil, 10<<24|uint32(i))
	ends := [2][]byte{client, {192, 0, 2, 1}}
	ports := [2]uint16{50000, 443}
	b = append(append(b, ends[from]...), ends[to]...)
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, ports[from]), ports[to])
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, p.next[from]), p.next[to])
	b = append(b, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0)
	p.buf = append(b, payload...)
	_, _ = p.w.Write(p.buf) // which keeps its first error
	p.next[from] += uint32(len(payload))
}

// readCapture measures listing or decrypting the capture.
func readCapture(stack, dir string, j job) (figures, error) {
	if stack != vitrineName {
		return nil, unsupported(stack + " reads no captures")
	}
	log, err := os.ReadFile(filepath.Join(dir, captureKeys))
	if err != nil {
		return nil, err
	}
	decrypts := j.text("do") == "decrypt"
	size := int64(0)
	f, err := timed(j, func(int) error {
		file, err := os.Open(filepath.Join(dir, captureFile))
		if err != nil {
			return err
		}
		defer file.Close()
		keys := &capture.Keys{}
		if decrypts {
			if _, err := keys.AddLog(bytes.NewReader(log)); err != nil {
				return err
			}
		}
		totals, err := capture.Read(file, capture.Options{Keys: keys, Decrypt: decrypts, Found: func(c *capture.Connection) error {
			if !c.Complete || c.Gaps > 0 || c.Readable != decrypts || decrypts && c.ClientSent.Opened < capturedBytes>>14 {
				return fmt.Errorf("connection %d: %s, %d gaps, %d records opened", c.Number, c.Outcome, c.Gaps, c.ClientSent.Opened)
			}
			return nil
		}})
		size += totals.Bytes
		if err == nil && totals.TLS != j.number("captured") {
			return fmt.Errorf("%d connections were found", totals.TLS)
		}
		return err
	})
	if err == nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		f["bytes"], f["peak"], f["one"] = float64(size), float64(m.Sys), 1
	}
	return f, err
}
