// Package contest is what benches of whole programs share: vitrine and its rivals are found, given the
// same certificates, and measured in turns.
package contest

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
)

// Installed finds a program in PATH. The folder is of no account: see [Vitrine].
func Installed(name string) func(dir string) (path string, err error) {
	return func(string) (string, error) { return exec.LookPath(name) }
}

// Vitrine compiles vitrine into dir as releases are, the first time, and returns its path.
func Vitrine(dir string) (path string, err error) {
	path = filepath.Join(dir, "vitrine")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/vitrine-tls/vitrine/cmd/vitrine")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building vitrine: %w\n%s", err, out)
	}
	return path, nil
}

// Certify writes a certificate for localhost to a file, its key first.
func Certify(file string, ca *devca.CA, kind devca.KeyType) error {
	pair, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}, Key: kind})
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for _, der := range pair.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return os.WriteFile(file, text, 0o644)
}

// Await waits until a program that was just started accepts connections, five seconds at most.
func Await(address string) error {
	var err error
	for range 200 {
		var c net.Conn
		if c, err = net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		time.Sleep(25 * time.Millisecond)
	}
	return err
}

// Turns are the rounds of one row.
type Turns[T any] struct {
	Row      string
	Rounds   int
	Programs []string
	Only     string    // the programs that are wanted, divided by commas; all if it is empty
	Log      io.Writer // a line for each run
}

// An Outcome is what all runs of one program gave, or why there is none.
type Outcome[T any] struct {
	Program string
	All     []T // one for each round; empty where something is missing
	Missing string
}

// Take has the programs run in turns, so that what changes on the machine meets all of them. One that fails is left
// out of the rounds that follow. run gets the place of a program in the list; what it gives is logged.
func (t Turns[T]) Take(run func(program int) (T, error)) (list []Outcome[T]) {
	outcomes := make([]Outcome[T], len(t.Programs))
	for round := range t.Rounds {
		for i, name := range t.Programs {
			o := &outcomes[i]
			o.Program = name
			if t.Only != "" && !slices.Contains(strings.Split(t.Only, ","), name) || o.Missing != "" {
				continue
			}
			got, err := run(i)
			if err != nil {
				*o = Outcome[T]{Program: name, Missing: err.Error()}
				fmt.Fprintf(t.Log, "%s, %s: %v\n", t.Row, name, err)
				continue
			}
			o.All = append(o.All, got)
			fmt.Fprintf(t.Log, "%s, %s, round %d: %v\n", t.Row, name, round+1, got)
		}
	}
	for _, o := range outcomes {
		if o.Missing != "" || len(o.All) > 0 {
			list = append(list, o)
		}
	}
	return list
}

// Median is the middle one of what value gives for all, the upper of two.
func Median[T any](all []T, value func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, one := range all {
		values[i] = value(one)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
