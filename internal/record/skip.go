package record

// SkipTo moves h on to the record number seq of its epoch, for somebody that only
// listens to a connection and has not opened every record. An end of a connection has no
// use for it. iv is the end of the ciphertext before that record where IVs are chained,
// and ignored elsewhere. Nothing is opened for it that its MAC or AEAD does not confirm.
//
// It reports whether h can go on there: the key stream of a stream cipher cannot be moved.
func (h *Half) SkipTo(seq uint64, iv []byte) bool {
	row := h.protection()
	if h.suite != nil && h.suite.Cipher != nil && h.suite.Cipher.Stream != nil && seq != h.seq {
		return false
	}
	h.seq = seq
	if row.chained && h.suite.Cipher.BlockLen > 0 {
		if len(iv) != h.suite.Cipher.BlockLen {
			return false
		}
		copy(h.iv[:], iv) // which the cipher object looks at
	}
	return true
}
