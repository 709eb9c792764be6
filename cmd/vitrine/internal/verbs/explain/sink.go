package explain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
)

// sink shows connections one after another, each as soon as it is there, but for forms
// that need all of them first.
type sink struct {
	options *options
	cmd     *cobra.Command
	single  bool // there will be no other
	shown   int
	file    io.WriteCloser // that takes one after another; nil without
	kept    []subject      // for the end
}

// add shows one connection.
func (s *sink) add(one subject) error {
	o := s.options
	s.shown++
	switch {
	case s.single:
		return o.show(s.cmd, []subject{one})
	case o.form.several && !o.form.appends:
		s.kept = append(s.kept, one)
		return nil
	case o.toStdout():
		return s.print(one)
	case !o.form.appends:
		return s.numbered(one)
	case s.file == nil:
		file, err := create(o.output)
		if err != nil {
			return err
		}
		o.warnOfSecrets(s.cmd, false)
		s.file = file
	default:
		if _, err := io.WriteString(s.file, o.form.between); err != nil {
			return err
		}
	}
	return o.render(s.file, []subject{one}, false)
}

// print writes a connection to standard output. No pager comes between, as more is to
// come.
func (s *sink) print(one subject) error {
	out := s.cmd.OutOrStdout()
	var buffer bytes.Buffer
	if s.shown > 1 {
		buffer.WriteString(s.options.form.between)
	}
	if err := s.options.render(&buffer, []subject{one}, terminal.PaletteFor(out).On && s.options.output == ""); err != nil {
		return err
	}
	_, err := out.Write(buffer.Bytes())
	return err
}

// numbered writes a connection to a file of its own: of FILE.json, FILE-1.json and so on.
func (s *sink) numbered(one subject) error {
	o := *s.options
	ending := filepath.Ext(o.output)
	o.output = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(o.output, ending), s.shown, ending)
	return o.show(s.cmd, []subject{one})
}

// end writes what waited for the end.
func (s *sink) end() error {
	var err error
	if len(s.kept) > 0 {
		err = s.options.show(s.cmd, s.kept)
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return err
}
