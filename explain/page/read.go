package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/explain"
)

// mostRead is how many bytes of a page are read: many times what a handshake takes.
const mostRead = 64 << 20

// dataElement is what the accounts stand behind.
var dataElement = []byte(`<script type="application/json" id="data">`)

// errNoPage is for what Write has not written.
var errNoPage = errors.New("this is not a page of vitrine explain")

// Read returns the accounts in a page that Write has written, in their order. Of a page of
// more than 64 MiB, or of anything else, it returns an error.
func Read(r io.Reader) ([]*explain.Connection, error) {
	all, err := io.ReadAll(io.LimitReader(r, mostRead+1))
	switch {
	case err != nil:
		return nil, err
	case len(all) > mostRead:
		return nil, fmt.Errorf("the page has more than %d bytes", mostRead)
	}
	_, data, ok := bytes.Cut(all, dataElement)
	if !ok {
		return nil, errNoPage
	}
	var c content
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&c); err != nil {
		return nil, fmt.Errorf("the page is damaged: %w", err)
	}
	var connections []*explain.Connection
	for _, a := range c.Accounts {
		if a.Connection == nil {
			return nil, errNoPage
		}
		connections = append(connections, a.Connection)
	}
	if len(connections) == 0 {
		return nil, errNoPage
	}
	return connections, nil
}
