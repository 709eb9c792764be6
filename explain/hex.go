package explain

import "encoding/hex"

// Hex are bytes, as lower-case hex in JSON.
type Hex []byte

func (h Hex) String() string { return hex.EncodeToString(h) }

// MarshalText is hex without prefix or blanks.
func (h Hex) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}
