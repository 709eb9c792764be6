package keyprocess

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// maxMessage bounds a message: a chain of 256 KiB in base64, and its frame.
const maxMessage = 512 << 10

// What is asked for.
const (
	doPermit  = "permit" // before start alone
	doStart   = "start"
	doLoad    = "load"
	doSign    = "sign"
	doDecrypt = "decrypt"
	doForget  = "forget" // has no answer
)

type request struct {
	ID        uint64
	Do        string
	Sandbox   string `json:",omitempty"` // of start
	Pairs     []Pair `json:",omitempty"` // of permit
	Cert, Key string `json:",omitempty"` // of load
	Handle    uint64 `json:",omitempty"`
	Input     []byte `json:",omitempty"` // the digest, message or ciphertext
	Hash      uint   `json:",omitempty"`
	PSS       bool   `json:",omitempty"`
	Length    int    `json:",omitempty"` // of the secret in a ciphertext
}

type answer struct {
	ID     uint64
	Err    string   `json:",omitempty"`
	Report []string `json:",omitempty"`
	Chain  [][]byte `json:",omitempty"` // DER, leaf first
	Handle uint64   `json:",omitempty"`
	Output []byte   `json:",omitempty"`
}

// encode makes a message: its length in 4 bytes, and JSON.
func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(text) > maxMessage {
		return nil, fmt.Errorf("a message of %d bytes is more than the %d that the key process takes", len(text), maxMessage)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...), nil
}

func decode(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxMessage {
		return fmt.Errorf("a message of %d bytes is more than %d", n, maxMessage)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
