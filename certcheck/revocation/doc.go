// Package revocation finds out whether an authority has taken a certificate back. It
// asks OCSP responses, stapled or fetched (RFC 6960), certificate revocation lists
// (RFC 5280 §5) and a deny list of your own.
//
// A [Checker] asks all of them about one certificate and its issuer, and gives an
// [Answer]: good, revoked, or unknown, from where, and what kept other sources from
// answering. Revoked by any source counts. What [Mode] makes of an unknown is for its
// caller, see [Answer.Refuses].
//
// The package opens no connections. A [Fetcher] does, such as the Client of package
// certcheck/fetch, so that a program that does not fetch does not carry an HTTP client.
package revocation
