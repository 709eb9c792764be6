// Package terminal writes for people: width, colour, and the pager.
package terminal

import (
	"io"
	"os"
)

// Palette gives parts of the output their colour; the zero value gives none.
type Palette struct{ On bool }

// PaletteFor uses colours where w is a terminal and NO_COLOR does not say no
// (https://no-color.org).
func PaletteFor(w io.Writer) Palette {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return Palette{}
	}
	info, err := f.Stat()
	return Palette{On: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p Palette) paint(code, s string) string {
	if !p.On || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p Palette) Faint(s string) string { return p.paint("2", s) }
func (p Palette) Bold(s string) string  { return p.paint("1", s) }
func (p Palette) Good(s string) string  { return p.paint("32", s) }
func (p Palette) Bad(s string) string   { return p.paint("31", s) }
