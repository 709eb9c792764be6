package explain

// certificateMeanings are those of the fields of a certificate. RFC 5280 §4.1.
var certificateMeanings = map[string]string{
	"tbsCertificate":       "What the authority has signed.",
	"serialNumber":         "The authority gives each certificate another number; lists of revoked ones name it by that.",
	"signature":            "The algorithm of the signature, which must be the same as below.",
	"issuer":               "The authority that has signed it.",
	"validity":             "From when and until when it is good.",
	"subject":              "To whom it belongs. A server's names stand in subjectAltName.",
	"subjectPublicKeyInfo": "The key that it is about.",
	"signatureValue":       "The authority's signature over tbsCertificate.",
	"critical":             "If this is true, a reader that does not know the extension must refuse the certificate.",
}

// oidNames are those of algorithms, attributes of names, and extensions.
var oidNames = map[string]string{
	"1.2.840.10040.4.1": "DSA", "1.2.840.10045.2.1": "EC key", "1.2.840.113549.1.1.1": "RSA", "1.2.840.113549.1.1.10": "RSASSA-PSS",
	"1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521", "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448",
	"1.2.840.113549.1.1.4": "RSA with MD5", "1.2.840.113549.1.1.5": "RSA with SHA-1", "1.2.840.113549.1.1.11": "RSA with SHA-256",
	"1.2.840.113549.1.1.12": "RSA with SHA-384", "1.2.840.113549.1.1.13": "RSA with SHA-512", "1.2.840.10045.4.1": "ECDSA with SHA-1",
	"1.2.840.10045.4.3.2": "ECDSA with SHA-256", "1.2.840.10045.4.3.3": "ECDSA with SHA-384", "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
	"2.5.4.3": "common name", "2.5.4.5": "serial number", "2.5.4.6": "country", "2.5.4.7": "locality", "2.5.4.8": "state",
	"2.5.4.9": "street", "2.5.4.10": "organization", "2.5.4.11": "organizational unit", "0.9.2342.19200300.100.1.25": "domain component",
	"1.2.840.113549.1.9.1": "email address",
	"2.5.29.9":             "subjectDirectoryAttributes", "2.5.29.14": "subjectKeyIdentifier", "2.5.29.15": "keyUsage", "2.5.29.17": "subjectAltName",
	"2.5.29.18": "issuerAltName", "2.5.29.19": "basicConstraints", "2.5.29.30": "nameConstraints", "2.5.29.31": "cRLDistributionPoints",
	"2.5.29.32": "certificatePolicies", "2.5.29.33": "policyMappings", "2.5.29.35": "authorityKeyIdentifier", "2.5.29.36": "policyConstraints",
	"2.5.29.37": "extKeyUsage", "2.5.29.46": "freshestCRL", "2.5.29.54": "inhibitAnyPolicy", "1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
	"1.3.6.1.5.5.7.48.1": "OCSP", "1.3.6.1.5.5.7.48.2": "caIssuers", "1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth",
	"1.3.6.1.5.5.7.3.9": "OCSPSigning", "2.5.29.37.0": "anyExtendedKeyUsage",
	"1.3.6.1.5.5.7.1.24": "TLS feature (must-staple)", "1.3.6.1.4.1.11129.2.4.2": "signed certificate timestamps",
}
