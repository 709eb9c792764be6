// Package page writes accounts of connections as one HTML page, for a browser.
//
// The page is one file that needs nothing else: it loads nothing, and its Content
// Security Policy lets it load nothing. It draws the ladder of flights, gives each
// byte of each record a name, and shows each secret with what it is made from. The
// browser computes again what it can.
//
//	err := page.Write(file, page.Page{Connections: []*explain.Connection{account}})
//
// The accounts stand in the page as the JSON that package explain writes, as do their
// secrets: guard the page like a key.
//
// A field, record or message that the reader selects is told to the document as a
// CustomEvent "vitrine:select". Its detail has
//
//   - connection, from 0
//   - record, its number
//   - layer: "wire" for bytes of the record, "inside" for what was opened
//   - offset and length in that layer
//   - message, its name, and message_offset in it, if it is part of one
//   - field, its name
package page
