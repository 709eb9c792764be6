package explain

import (
	_ "embed"
	"encoding/json"
	"io"
)

// Schema is the JSON Schema of what [Connection.JSON] writes, each field with
// its meaning.
//
//go:embed schema.json
var Schema string

// JSON writes the account as one JSON object, indented, with all bytes in full.
func (c *Connection) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(c)
}
