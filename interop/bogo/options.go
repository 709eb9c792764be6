package main

import "github.com/vitrine-tls/vitrine/tls"

// options are what the runner's flags ask of one connection. The names follow
// the flags; what they mean is the runner's business, see BoringSSL's
// ssl/test/PORTING.md.
type options struct {
	// The process.
	port, resumeCount int
	shimID            uint64
	ipv6, server      bool
	quic              bool
	quicParameters    []byte // to send; nil for none

	// The handshake.
	minVersion, maxVersion                   int
	noTLS1, noTLS11, noTLS12, noTLS13        bool
	cipher                                   string
	suites                                   []uint16 // of a policy; nil for none
	signing                                  []int    // what certificates sign with that do not say so themselves
	serverPreference, fallbackSCSV           bool
	curves, verifyPrefs                      []int
	keyShares, groupsHint                    []int
	noKeyShares                              bool
	hostName                                 string
	advertiseALPN, selectALPN                string
	declineALPN, rejectALPN, selectEmptyALPN bool
	async                                    bool // where a blocking API has its like
	noTicket, useTicketCallback              bool
	renewTicket, skipTicket                  bool
	enableGREASE, shuffle                    bool
	ech                                      ech
	psk, pskIdentity                         string
	maxSendFragment                          int
	requireAnyClientCertificate, verifyPeer  bool
	verifyFail, customVerify                 bool
	reverifyOnResume                         bool
	clientCAs                                string
	renegotiateOnce, renegotiateFreely       bool
	renegotiateIgnore, requireSecure         bool
	failEarlyCallback, failDDoSCallback      bool
	failCertCallback                         bool
	declineOCSP, failOCSP                    bool
	resumptionDelay                          int
	enableEarlyData                          bool
	legacy                                   credential
	credentials                              []credential
	acceptedTypes, availableTypes            []int // of certificates
	compressAll                              bool
	compressBy                               int

	// The exchange.
	implicitHandshake, handshakeTwice, extraHandshake bool
	shimWritesFirst, shimShutsDown, checkCloseNotify  bool
	initialWrite                                      string
	repeatInitialWrite                                int
	writeDifferentSizes                               bool
	readSize                                          int
	keyUpdate, keyUpdateBeforeRead                    bool
	exportLength                                      int
	exportLabel, exportContext                        string
	useExportContext, exporterBetweenReads            bool
	exportTrafficSecrets, tlsUnique                   bool

	expect expectations
	retry  *options // what holds once a server has rejected early data; nil for the first connection
}

// expectations are what must hold after the handshake.
type expectations struct {
	version, cipher, cipherAES, cipherNoAES  int
	serverName, alpn, advertisedALPN         string
	noServerName                             bool
	curve, peerSignature                     int
	peerVerify                               []int
	certificateTypes                         []byte
	clientCAs                                string
	ocsp, scts                               []byte
	quicParameters                           []byte // nil for any
	peerCertFile                             string
	noPeerCert                               bool
	sessionMiss, noSession, ticketRenewal    bool
	sessionID, noSessionID                   bool
	extendedMasterSecret                     bool
	secureRenegotiation, noSecureRenegotiate bool
	renegotiations                           int
	hrr, noHRR                               bool
	selected                                 int
	selectedSet                              bool
	messages                                 string
	verifyResult                             bool
	peerKey                                  []byte // the digest of its raw public key
	peerType                                 int
	peerTypeSet                              bool
	acceptEarly, rejectEarly, noOfferEarly   bool
	ticketEarly                              bool
	earlyReason                              string
	skew                                     *int // of the age of a ticket, in seconds
}

// credential is a certificate with its key and what goes with it.
type credential struct {
	certFile, keyFile string
	signing           []int
	ocsp, scts        []byte
	matchIssuer       bool             // use it only for a peer that names its issuer
	raw               bool             // a key without a certificate
	delegated         []byte           // keyFile is that of the credential then
	external          *tls.ExternalPSK // in place of a certificate
}
