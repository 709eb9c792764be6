package tls

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/hpke"
	"github.com/vitrine-tls/vitrine/wire"
)

// Encrypted Client Hello, RFC 9849: the settings, and what the handshake asks of them.

// CheckECHConfigList says what a client does with list, an ECHConfigList as a server's
// DNS record has it: it returns the name that it would show to everybody, of the first
// config that it can use. Without such a config, or where list does not parse, it errs;
// with the same list a handshake does, too.
func CheckECHConfigList(list []byte) (publicName string, err error) {
	offer, err := pickECH(list)
	if err != nil {
		return "", err
	}
	return string(offer.Config.PublicName), nil
}

// pickECH picks the config and the suite to encrypt to. Configs that a client cannot use
// are passed over. RFC 9849 §6.1.
func pickECH(list []byte) (*handshake.ECHOffer, error) {
	configs, err := wire.ParseECHConfigs(list)
	if err != nil {
		return nil, misuse("EncryptedClientHelloConfigList does not parse: %v; it is what the server publishes, in an HTTPS record say, decoded from base64", err)
	}
	var why []string
	for _, c := range configs {
		suite, err := usableECH(&c)
		if err == nil {
			return &handshake.ECHOffer{Config: c, Suite: suite}, nil
		}
		why = append(why, err.Error())
	}
	return nil, misuse("EncryptedClientHelloConfigList has no config that can be used: %s; get a newer list from the server, or leave it out if the name may be seen", strings.Join(why, "; "))
}

// usableECH returns the first suite of c that we have, and errs where we cannot use c.
func usableECH(c *wire.ECHConfig) (wire.HPKESuite, error) {
	switch {
	case !c.Known():
		return wire.HPKESuite{}, fmt.Errorf("one is of version 0x%04x", c.Version)
	case !isPublicName(string(c.PublicName)):
		return wire.HPKESuite{}, fmt.Errorf("the public_name %q is not a host name", c.PublicName)
	case !hpke.Supported(c.KEM):
		return wire.HPKESuite{}, fmt.Errorf("%v is not implemented", c.KEM)
	}
	for _, x := range c.Extensions {
		if x.Mandatory() {
			return wire.HPKESuite{}, fmt.Errorf("one demands an extension that is not known, 0x%04x", x.Type)
		}
	}
	for _, s := range c.Suites {
		if !hpke.SupportedSuite(s) {
			continue
		}
		if _, err := hpke.NewSender(c.KEM, c.PublicKey, s, nil); err != nil {
			return wire.HPKESuite{}, fmt.Errorf("its public key is not valid: %v", err)
		}
		return s, nil
	}
	return wire.HPKESuite{}, errors.New("one has no suite that is implemented")
}

// isPublicName: LDH labels, the last of which does not make an IPv4 address of the whole.
// RFC 9849 §4.
func isPublicName(name string) bool {
	if len(name) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if last = label; len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, notLDH) {
			return false
		}
	}
	digits := strings.Trim(last, "0123456789") == ""
	hex, isHex := strings.CutPrefix(strings.ToLower(last), "0x")
	return !digits && !(isHex && strings.Trim(hex, "0123456789abcdef") == "")
}

func notLDH(r rune) bool {
	letter := 'a' <= r|0x20 && r|0x20 <= 'z'
	return !letter && (r < '0' || r > '9') && r != '-'
}

// resolveECH reads a client's settings.
func (c *Config) resolveECH(h *handshake.Config) (err error) {
	if c.EncryptedClientHelloConfigList == nil {
		return nil
	}
	if !handshake.ProfileOf(h.Versions[0]).HidesHello {
		return misuse("Encrypted Client Hello needs TLS 1.3, and MaxVersion is %s; raise it, or leave out EncryptedClientHelloConfigList", VersionName(c.MaxVersion))
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.echOffer == nil || !bytes.Equal(c.echList, c.EncryptedClientHelloConfigList) {
		if c.echOffer, err = pickECH(c.EncryptedClientHelloConfigList); err != nil {
			return err
		}
		c.echList = bytes.Clone(c.EncryptedClientHelloConfigList)
	}
	h.ECH = c.echOffer
	return nil
}

// resolveECHKeys reads a server's settings.
func (c *Config) resolveECHKeys(h *handshake.Config) error {
	h.ECHServer = c.GetEncryptedClientHelloKeys != nil || len(c.EncryptedClientHelloKeys) > 0
	if !h.ECHServer {
		return nil
	}
	if !handshake.ProfileOf(h.Versions[0]).HidesHello {
		return misuse("Encrypted Client Hello needs TLS 1.3, and MaxVersion is %s; raise it, or leave out EncryptedClientHelloKeys", VersionName(c.MaxVersion))
	}
	if c.GetEncryptedClientHelloKeys != nil {
		return nil
	}
	_, err := c.readECHKeys(c.EncryptedClientHelloKeys)
	return err
}

// echKey is a key that has been read, and what it was read from.
type echKey struct {
	from EncryptedClientHelloKey
	key  handshake.ECHKey
}

// readECHKeys reads keys, or takes what was made of the same before.
func (c *Config) readECHKeys(keys []EncryptedClientHelloKey) ([]handshake.ECHKey, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	same := len(keys) == len(c.echKeys)
	for i := 0; same && i < len(keys); i++ {
		from := &c.echKeys[i].from
		same = bytes.Equal(from.Config, keys[i].Config) && bytes.Equal(from.PrivateKey, keys[i].PrivateKey) && from.SendAsRetry == keys[i].SendAsRetry
	}
	if !same {
		read, err := parseECHKeys(keys)
		if err != nil {
			return nil, err
		}
		c.echKeys, c.echRead = c.echKeys[:0:0], read
		for i, k := range keys {
			c.echKeys = append(c.echKeys, echKey{EncryptedClientHelloKey{Config: bytes.Clone(k.Config), PrivateKey: bytes.Clone(k.PrivateKey), SendAsRetry: k.SendAsRetry}, read[i]})
		}
	}
	return c.echRead, nil
}

func parseECHKeys(keys []EncryptedClientHelloKey) ([]handshake.ECHKey, error) {
	list := make([]handshake.ECHKey, len(keys))
	ids := map[uint8]int{}
	retry := 2
	for i := range keys {
		k, err := parseECHKey(&keys[i])
		if err != nil {
			return nil, misuse("EncryptedClientHelloKeys[%d]: %v", i, err)
		}
		list[i] = *k
		if ids[k.Config.ConfigID]++; ids[k.Config.ConfigID] > handshake.MaxECHTrials {
			return nil, misuse("EncryptedClientHelloKeys has more than %d keys with the config_id %d, and a hello would have to be tried with each; give new configs another", handshake.MaxECHTrials, k.Config.ConfigID)
		}
		if k.SendAsRetry {
			retry += len(k.Config.Raw)
		}
	}
	if retry > maxVector {
		return nil, misuse("EncryptedClientHelloKeys has configs of %d bytes with SendAsRetry; at most %d can be sent", retry, maxVector)
	}
	return list, nil
}

func parseECHKey(from *EncryptedClientHelloKey) (*handshake.ECHKey, error) {
	k := &handshake.ECHKey{SendAsRetry: from.SendAsRetry}
	r := wire.NewReader(from.Config, nil)
	k.Config.Read(&r)
	if err := r.Finish("ECHConfig"); err != nil {
		return nil, fmt.Errorf("Config is not an ECHConfig: %w; it is one config, and not a list of them", err)
	}
	k.Config.Raw = bytes.Clone(k.Config.Raw)
	if _, err := usableECH(&k.Config); err != nil {
		return nil, fmt.Errorf("no client could use its Config: %w", err)
	}
	private, err := hpke.NewPrivateKey(k.Config.KEM, from.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("PrivateKey is not one of %v: %w", k.Config.KEM, err)
	}
	if !bytes.Equal(private.Public(), k.Config.PublicKey) {
		return nil, errors.New("PrivateKey does not belong to the public key in Config; keep the two together, as GenerateECHKey made them")
	}
	k.Private = private
	return k, nil
}

// ECHKeys are those of GetEncryptedClientHelloKeys or, without it, of the Config.
func (h *host) ECHKeys(ctx context.Context, s *handshake.State) ([]handshake.ECHKey, error) {
	c := h.config
	keys := c.EncryptedClientHelloKeys
	if c.GetEncryptedClientHelloKeys != nil {
		var err error
		keys, err = c.GetEncryptedClientHelloKeys(h.helloInfo(ctx, s))
		if err != nil {
			return nil, err
		}
	}
	return c.readECHKeys(keys)
}

// verifyRejecting verifies a server that has not taken our encrypted hello: it must speak
// for the public name, or what it says of its configs is somebody else's word. RFC 9849 §6.1.7.
func (h *host) verifyRejecting(ctx context.Context, s *handshake.State, chain []*x509.Certificate, o certcheck.Options) ([][]*x509.Certificate, error) {
	if f := h.config.EncryptedClientHelloRejectionVerify; f != nil {
		cs := connectionState(s.Result, false)
		cs.TLSUnique = nil
		handshake.SetExporter(&cs, notYet) // the handshake will not be complete
		return nil, f(cs)
	}
	o.Roots, o.Name = h.config.RootCAs, s.Result.ServerName
	return h.verifyBy(ctx, chain, o)
}
