package keyprocess

import (
	"bufio"
	"crypto"
	"crypto/rand"
	stdrsa "crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	fastrsa "github.com/vitrine-tls/vitrine/internal/primitive/rsa"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/harden"
	"github.com/vitrine-tls/vitrine/tls"
)

const (
	maxKeys    = 10_000
	maxAtOnce  = 64 // requests that compute or wait for a processor
	premaster  = 48 // the only length of a secret that is opened
	maxToSign  = 64 << 10
	maxFile    = 1 << 20
	errUnknown = "the key process does not know this key any more"
)

// Serve is the key process. It answers on in and out until in ends, which is no error. Signals that stop a whole
// terminal or service are left to the process that asks.
func Serve(in io.Reader, out io.Writer) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	h := &holder{out: out, keys: make(map[uint64]crypto.Signer), turn: make(chan struct{}, maxAtOnce)}
	defer h.work.Wait()
	buffered := bufio.NewReader(in)
	for {
		var q request
		if err := decode(buffered, &q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the key process was asked for something that it does not understand: %w", err)
		}
		h.turn <- struct{}{}
		h.work.Go(func() {
			defer func() { <-h.turn }()
			h.handle(q)
		})
	}
}

// holder has the keys, by handles that the other process names them by.
type holder struct {
	mutex sync.Mutex
	keys  map[uint64]crypto.Signer
	last  uint64
	pairs map[Pair]bool // which may be loaded
	began bool          // no pairs are added any more

	writing sync.Mutex
	out     io.Writer
	turn    chan struct{}
	work    sync.WaitGroup
}

func (h *holder) handle(q request) {
	a, err := h.do(q)
	if q.Do == doForget {
		return
	}
	if a.ID = q.ID; err != nil {
		a = answer{ID: q.ID, Err: err.Error()}
	}
	message, err := encode(a)
	if err != nil {
		message, _ = encode(answer{ID: q.ID, Err: err.Error()})
	}
	h.writing.Lock()
	defer h.writing.Unlock()
	h.out.Write(message) // if nobody reads, in ends too
}

func (h *holder) do(q request) (a answer, err error) {
	switch q.Do {
	case doPermit:
		return a, h.permit(q.Pairs)
	case doStart:
		return h.start(q.Sandbox)
	case doLoad:
		return h.load(q)
	case doForget:
		h.mutex.Lock()
		defer h.mutex.Unlock()
		delete(h.keys, q.Handle)
		return a, nil
	}
	h.mutex.Lock()
	key := h.keys[q.Handle]
	h.mutex.Unlock()
	switch {
	case key == nil:
		return a, errors.New(errUnknown)
	case q.Do == doSign && len(q.Input) <= maxToSign:
		a.Output, err = fastrsa.Sign(key, rand.Reader, q.Input, options(q))
		return a, err
	case q.Do == doDecrypt && q.Length == premaster:
		if d, ok := key.(crypto.Decrypter); ok {
			a.Output = fastrsa.DecryptSessionKey(d, q.Input, q.Length)
			return a, nil
		}
	}
	return a, fmt.Errorf("the key process does not do %q", q.Do)
}

func options(q request) crypto.SignerOpts {
	if q.PSS {
		return &stdrsa.PSSOptions{SaltLength: stdrsa.PSSSaltLengthEqualsHash, Hash: crypto.Hash(q.Hash)}
	}
	return crypto.Hash(q.Hash)
}

var errBegun = errors.New("the key process was started already, and takes no orders of that kind any more")

// permit adds pairs that may be loaded. They come before the process that asks faces a network.
func (h *holder) permit(pairs []Pair) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.began {
		return errBegun
	}
	if len(h.pairs)+len(pairs) > maxKeys {
		return fmt.Errorf("there are more than %d pairs of a certificate and its key", maxKeys)
	}
	if h.pairs == nil {
		h.pairs = make(map[Pair]bool)
	}
	for _, pair := range pairs {
		h.pairs[pair] = true
	}
	return nil
}

// start confines the process to the files of its pairs.
func (h *holder) start(sandbox string) (a answer, err error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.began {
		return a, errBegun
	}
	h.began = true
	paths := harden.Paths{Offline: true}
	for pair := range h.pairs {
		paths.Read = append(paths.Read, pair.Cert, pair.Key)
	}
	a.Report, err = harden.Apply(config.Process{Sandbox: sandbox}, paths)
	return a, err
}

// permitted reports that a pair may be loaded.
func (h *holder) permitted(pair Pair) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.began && h.pairs[pair]
}

func (h *holder) load(q request) (a answer, err error) {
	if !h.permitted(Pair{q.Cert, q.Key}) {
		return a, fmt.Errorf("the key process reads the pairs alone that it was started for, and %q with %q is not among them; start a new process (SIGUSR2 or --take-over loses no connection)", shortened(q.Cert), shortened(q.Key))
	}
	cert, err := readFile(q.Cert)
	if err != nil {
		return a, err
	}
	defer clear(cert) // the key may stand in it
	text, err := readFile(q.Key)
	if err != nil {
		return a, err
	}
	defer clear(text)
	pair, err := tls.X509KeyPair(cert, text)
	if err != nil {
		return a, err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return a, errors.New("the private key cannot sign")
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if len(h.keys) >= maxKeys {
		return a, fmt.Errorf("the key process holds %d keys, and takes no more", maxKeys)
	}
	h.last++
	h.keys[h.last] = key
	return answer{Chain: pair.Certificate, Handle: h.last}, nil
}

// readFile reads a file of bounded size. It waits for nobody: a pipe or a device is refused.
func readFile(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|withoutWaiting, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file as others are, but %s; name one with PEM in it", name, info.Mode())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s has more than the %d KiB that are read", name, maxFile>>10)
	}
	return text, err
}

// mostShown is how much of a path stands in an error.
const mostShown = 256

func shortened(path string) string { return path[:min(len(path), mostShown)] }
