package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/vitrine-tls/vitrine/tls"
)

// exchange does the handshake, what the flags ask for after it, echoes what
// comes and shuts down.
func (o *options) exchange(conn endpoint, w *watch, resume bool) error {
	written := false
	if !o.implicitHandshake || o.enableEarlyData {
		done, err := o.handshakeEarly(conn, w)
		if err != nil {
			return o.ech.refused(err)
		}
		written = done
		if err := o.earlyData(conn, w); err != nil {
			return err
		}
		if !o.server && o.retry != nil && conn.State().EarlyData == "refused" {
			o = o.retry
			if err := o.earlyData(conn, w); err != nil {
				return err
			}
		}
		if err := o.handshake(conn, w, resume); err != nil {
			return err
		}
		if o.handshakeTwice || o.extraHandshake {
			if err := conn.Handshake(); err != nil {
				return err
			}
		}
	}
	w.pauses.Store(o.async)
	for _, write := range []func(endpoint, *watch) ([]byte, error){o.export, o.secrets, o.unique} {
		b, err := write(conn, w)
		if err != nil {
			return err
		}
		if _, err := conn.Write(b); len(b) > 0 && err != nil {
			return err
		}
	}
	if !written {
		if err := o.writeFirst(conn); err != nil {
			return err
		}
	}
	if !o.shimShutsDown && !o.writeDifferentSizes {
		if err := o.echo(conn); err != nil {
			return err
		}
	}
	if err := o.tickets(conn, w); err != nil {
		return err
	}
	switch {
	case o.shimShutsDown:
		return o.shutDown(conn)
	case o.checkCloseNotify:
		return conn.CloseWrite()
	}
	return nil
}

// export is keying material, which the runner compares with its own.
func (o *options) export(conn endpoint, _ *watch) ([]byte, error) {
	if o.exportLength == 0 {
		return nil, nil
	}
	var context []byte
	if o.useExportContext {
		context = []byte(o.exportContext)
		if context == nil {
			context = []byte{}
		}
	}
	cs := conn.ConnectionState()
	return cs.ExportKeyingMaterial(o.exportLabel, context, o.exportLength)
}

// secrets are the traffic secrets of TLS 1.3 after their length: what we read
// with, and what we write with.
func (o *options) secrets(_ endpoint, w *watch) ([]byte, error) {
	if !o.exportTrafficSecrets {
		return nil, nil
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	read, write := w.server, w.client
	if o.server {
		read, write = write, read
	}
	if len(read) == 0 || len(write) == 0 {
		return nil, errors.New("there are no traffic secrets")
	}
	return bytes.Join([][]byte{binary.LittleEndian.AppendUint16(nil, uint16(len(read))), read, write}, nil), nil
}

func (o *options) unique(conn endpoint, _ *watch) ([]byte, error) {
	if !o.tlsUnique {
		return nil, nil
	}
	return conn.ChannelBinding("tls-unique")
}

func (o *options) writeFirst(conn endpoint) error {
	if o.writeDifferentSizes {
		buf := bytes.Repeat([]byte{0x42}, 32769)
		for _, n := range []int{0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769} {
			if _, err := conn.Write(buf[:n]); err != nil {
				return err
			}
		}
		return nil
	}
	for range o.repeatInitialWrite {
		if !o.shimWritesFirst {
			break
		}
		if _, err := conn.Write([]byte(o.initialWrite)); err != nil {
			return err
		}
	}
	return nil
}

// shutDown says that we will write no more, and waits for the peer to say so.
func (o *options) shutDown(conn endpoint) error {
	if !o.checkCloseNotify {
		return nil
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	n, err := conn.Read(make([]byte, 1))
	if n > 0 {
		return errors.New("data came in place of close_notify")
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// echo sends back what comes, inverted, until the peer ends.
func (o *options) echo(conn endpoint) error {
	size := 512 // less than a record, to test that records are read in parts
	if o.readSize > 0 {
		size = o.readSize
	}
	buf := make([]byte, size)
	for {
		if o.keyUpdateBeforeRead {
			if err := conn.KeyUpdate(false); err != nil {
				return err
			}
		}
		n, err := conn.Read(buf)
		paused := errors.Is(err, os.ErrDeadlineExceeded)
		if o.exporterBetweenReads {
			cs := conn.ConnectionState()
			if _, err := cs.ExportKeyingMaterial("some label", nil, 1); err != nil {
				return fmt.Errorf("failed to export keying material: %w", err)
			}
		}
		switch {
		case paused:
			continue
		case err == io.EOF, errors.Is(err, tls.ErrUnexpectedEOF) && !o.checkCloseNotify:
			return nil
		case err != nil:
			return err
		}
		if o.keyUpdate {
			if err := conn.KeyUpdate(false); err != nil {
				return err
			}
		}
		invert(buf[:n])
		if _, err := conn.Write(buf[:n]); err != nil {
			return err
		}
	}
}
