package keyprocess

import (
	"bufio"
	"crypto"
	"crypto/rand"
	stdrsa "crypto/rsa"
	"errors"
	"fmt"
	"io"
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
	anyFile    = "/"
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
	case doStart:
		a.Report, err = harden.Apply(config.Process{Sandbox: q.Sandbox}, harden.Paths{Read: []string{anyFile}, Offline: true})
		return a, err
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

func (h *holder) load(q request) (a answer, err error) {
	pair, err := tls.LoadX509KeyPair(q.Cert, q.Key)
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
