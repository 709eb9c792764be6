package wire

// ECHVersion is the version of an ECHConfig that is read here: the number of the
// extension that its clients send. RFC 9849 §4.
const ECHVersion = uint16(ExtEncryptedClientHello)

// ECHConfig is a server's public key for Encrypted Client Hello, and what goes with it.
// One of another version keeps its contents in Unknown, and the other fields are zero.
// RFC 9849 §4.
//
//	opaque HpkePublicKey<1..2^16-1>;
//
//	struct {
//	    uint8 config_id;
//	    HpkeKemId kem_id;
//	    HpkePublicKey public_key;
//	    HpkeSymmetricCipherSuite cipher_suites<4..2^16-4>;
//	} HpkeKeyConfig;
//
//	struct {
//	    HpkeKeyConfig key_config;
//	    uint8 maximum_name_length;
//	    opaque public_name<1..255>;
//	    ECHConfigExtension extensions<0..2^16-1>;
//	} ECHConfigContents;
//
//	struct {
//	    uint16 version;
//	    uint16 length;
//	    select (ECHConfig.version) {
//	      case 0xfe0d: ECHConfigContents contents;
//	    }
//	} ECHConfig;
type ECHConfig struct {
	// Raw is the whole as it was read, version and length included: HPKE binds it.
	Raw           []byte
	Version       uint16
	ConfigID      uint8
	KEM           HPKEKEM
	PublicKey     []byte
	Suites        []HPKESuite
	MaxNameLength uint8
	PublicName    []byte
	Extensions    []ECHConfigExtension
	Unknown       []byte
}

// ECHConfigExtension is one of a config's own extensions, which share no numbers with
// those of TLS. RFC 9849 §4.2.
//
//	struct {
//	    ECHConfigExtensionType type;
//	    opaque data<0..2^16-1>;
//	} ECHConfigExtension;
type ECHConfigExtension struct {
	Type uint16
	Data []byte
}

// Mandatory reports that a client which does not know the extension must not use the
// config. RFC 9849 §4.2.
func (x ECHConfigExtension) Mandatory() bool { return x.Type&0x8000 != 0 }

// Known reports that the config is of the version that is read here.
func (c *ECHConfig) Known() bool { return c.Version == ECHVersion }

// Read reads one config.
func (c *ECHConfig) Read(r *Reader) {
	*c = ECHConfig{}
	g, start := r.Group("ech_config"), r.off
	c.Version = U16[uint16](r, "version")
	m := r.Open("contents", 2, 0, 0xffff)
	if c.Known() {
		c.readContents(r)
	} else {
		c.Unknown = r.Rest("unknown")
	}
	r.Close("contents", m)
	r.Close("ech_config", g)
	if r.err == nil {
		c.Raw = r.buf[start:r.off:r.off]
	}
}

func (c *ECHConfig) readContents(r *Reader) {
	c.ConfigID = U8[uint8](r, "config_id")
	c.KEM = U16[HPKEKEM](r, "kem_id")
	c.PublicKey = r.Opaque("public_key", 2, 1, 0xffff)
	m := r.Open("cipher_suites", 2, 4, 0xfffc)
	for r.More() {
		c.Suites = append(c.Suites, readHPKESuite(r))
	}
	r.Close("cipher_suites", m)
	c.MaxNameLength = U8[uint8](r, "maximum_name_length")
	m = r.Open("public_name", 1, 1, 255)
	c.PublicName = r.Text("name", r.Left())
	r.Close("public_name", m)
	m = r.Open("extensions", 2, 0, 0xffff)
	for r.More() {
		g := r.Group("extension")
		c.Extensions = append(c.Extensions, ECHConfigExtension{U16[uint16](r, "type"), r.Opaque("data", 2, 0, 0xffff)})
		r.Close("extension", g)
	}
	r.Close("extensions", m)
}

// Append appends the config. Raw is not looked at.
func (c *ECHConfig) Append(b []byte) []byte {
	b, mark := openVector(AppendU16(b, c.Version), 2)
	if !c.Known() {
		return closeVector(append(b, c.Unknown...), mark, 2)
	}
	b = appendOpaque(AppendU16(append(b, c.ConfigID), c.KEM), 2, c.PublicKey)
	b, suites := openVector(b, 2)
	for _, s := range c.Suites {
		b = appendHPKESuite(b, s)
	}
	b = append(closeVector(b, suites, 2), c.MaxNameLength)
	b, extensions := openVector(appendOpaque(b, 1, c.PublicName), 2)
	for _, x := range c.Extensions {
		b = appendOpaque(AppendU16(b, x.Type), 2, x.Data)
	}
	return closeVector(closeVector(b, extensions, 2), mark, 2)
}

// ReadECHConfigs reads a list of configs, best first, appending to dst. RFC 9849 §4.
//
//	ECHConfig ECHConfigList<4..2^16-1>;
func ReadECHConfigs(r *Reader, dst []ECHConfig) []ECHConfig {
	m := r.Open("ech_configs", 2, 4, 0xffff)
	for r.More() {
		var c ECHConfig
		c.Read(r)
		dst = append(dst, c)
	}
	r.Close("ech_configs", m)
	return dst
}

// AppendECHConfigs appends a list of configs by their Raw, up to 65,535 bytes in all.
func AppendECHConfigs(b []byte, list []ECHConfig) []byte {
	b, mark := openVector(b, 2)
	for i := range list {
		b = append(b, list[i].Raw...)
	}
	return closeVector(b, mark, 2)
}

// ParseECHConfigs reads a list that stands alone. The configs alias b. The error is a
// *SyntaxError. Configs of versions that are not known are in the result, too.
func ParseECHConfigs(b []byte) ([]ECHConfig, error) {
	r := NewReader(b, nil)
	list := ReadECHConfigs(&r, nil)
	if err := r.Finish("ECHConfigList"); err != nil {
		return nil, err
	}
	return list, nil
}
