package scan

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/scan"
)

// A state is the file of --resume: a line of JSON that says how was scanned, and a line for
// each server that was, which is its report. What is missing is scanned when the command
// runs again.
type state struct {
	done map[string]*scan.Report

	mu   sync.Mutex // for file
	file *os.File
}

// stateFormat names the form of the file, and begins its first line.
const stateFormat = "vitrine-scan-state/1"

// stateHead is its first line.
type stateHead struct {
	Format string `json:"format"`
	// Flags are those that change what a report says.
	Flags map[string]string `json:"flags"`
}

// telling are the flags by which the same server gets another report. Those on how fast is
// scanned, and what is done with the reports, may change from one run to the next.
var telling = []string{"ca", "sni", "starttls", "connect-to", "proxy", "ipv4", "ipv6", "quick", "timing", "fleet", "revocation", "crl", "software"}

const (
	// maxStateLine is the longest line that is read, in bytes.
	maxStateLine = 16 << 20
	// maxHeadLine is the longest first line: a file of another kind may be large.
	maxHeadLine = 64 << 10
)

// head says how this command scans.
func (o *options) head(cmd *cobra.Command) (stateHead, error) {
	h := stateHead{stateFormat, map[string]string{}}
	for _, name := range telling {
		if f := cmd.Flags().Lookup(name); f.Changed {
			h.Flags[name] = f.Value.String()
		}
	}
	// A proxy's URL may have a password, which is not for a file.
	if u, err := url.Parse(h.Flags["proxy"]); err == nil && h.Flags["proxy"] != "" {
		h.Flags["proxy"] = u.Redacted()
	}
	if o.ca != "" {
		b, err := os.ReadFile(o.ca)
		if err != nil {
			return h, err
		}
		sum := sha256.Sum256(b)
		h.Flags["ca"] = hex.EncodeToString(sum[:])
	}
	return h, nil
}

// openState reads the file, or begins it. A line that was cut off at the end, as by a crash,
// is taken away.
func openState(name string, want stateHead) (*state, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, report.Unwritable("--resume", err)
	}
	s := &state{done: map[string]*scan.Report{}, file: file}
	if err := s.read(name, want); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

// read reads all lines that are whole, and leaves the file with these.
func (s *state) read(name string, want stateHead) error {
	in := bufio.NewReaderSize(s.file, maxHeadLine)
	first, err := json.Marshal(want)
	if err != nil {
		return err
	}
	line, err := readLine(in, maxHeadLine)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF) && bytes.HasPrefix(first, line):
		// Empty, or cut off while it was begun.
		if err := s.file.Truncate(0); err != nil {
			return err
		}
		return s.write(want)
	default:
		return report.Usagef("%s is not a file of --resume; name one that does not exist yet", name)
	}
	if err := fits(name, line, want); err != nil {
		return err
	}
	whole := int64(len(line))
	for n := 2; ; n++ {
		line, err := readLine(in, maxStateLine)
		switch {
		case errors.Is(err, io.EOF):
			return s.file.Truncate(whole)
		case err != nil:
			return report.Usagef("%s, line %d: %v", name, n, err)
		}
		r := &scan.Report{}
		if err := json.Unmarshal(line, r); err != nil || r.Format != scan.Format {
			return report.Usagef("%s, line %d is not the report of a scan; delete that line, and its server is scanned again", name, n)
		}
		whole += int64(len(line))
		s.done[keyOf(r.Target, r.Name, r.StartTLS)] = r
	}
}

var errLongLine = errors.New("the line is too long")

// readLine reads a line with its line feed. Bytes at the end without one come with io.EOF.
func readLine(in *bufio.Reader, most int) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if line = append(line, part...); len(line) > most {
			return nil, errLongLine
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// fits compares how was scanned with how is to be.
func fits(name string, line []byte, want stateHead) error {
	var have stateHead
	if err := json.Unmarshal(line, &have); err != nil || have.Format != stateFormat {
		return report.Usagef("%s is not a file of --resume; name one that does not exist yet", name)
	}
	for _, flag := range append([]string{"ca"}, telling...) {
		if have.Flags[flag] != want.Flags[flag] {
			return report.Usagef("%s was begun with another --%s; scan with the same, or name a file that does not exist yet", name, flag)
		}
	}
	return nil
}

// known is the report of a server that was scanned; nil for one that was not, or that did not
// answer, or not always.
func (s *state) known(at scan.Target) *scan.Report {
	if s == nil {
		return nil
	}
	if r := s.done[keyOf(at.Address, at.ServerName(), at.StartTLS)]; r != nil && r.Failure == "" && r.Unanswered == 0 {
		return r
	}
	return nil
}

func keyOf(address, name, startTLS string) string { return address + "\n" + name + "\n" + startTLS }

// keep adds a report.
func (s *state) keep(r *scan.Report) error {
	if s == nil {
		return nil
	}
	return s.write(r)
}

// write adds a line, in one piece.
func (s *state) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.file.Write(append(line, '\n'))
	return err
}

func (s *state) close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}
