package text

// vocabulary finds the number of an n-gram by its hash: open addressing, half
// full at most.
type vocabulary struct {
	hash  []uint32 // by number
	slots []slot
	mask  uint32
}

type slot struct {
	hash uint32
	at   int32 // number + 1; 0 is empty
}

func newVocabulary(hashes []uint32) vocabulary {
	size := 16
	for size < 2*len(hashes) {
		size *= 2
	}
	v := vocabulary{hash: hashes, slots: make([]slot, size), mask: uint32(size - 1)}
	for n, h := range hashes {
		i := h & v.mask
		for v.slots[i].at != 0 {
			i = (i + 1) & v.mask
		}
		v.slots[i] = slot{h, int32(n + 1)}
	}
	return v
}

// find returns the number of an n-gram, −1 if it is unknown.
func (v *vocabulary) find(h uint32) int32 {
	for i := h & v.mask; ; i = (i + 1) & v.mask {
		s := v.slots[i]
		if s.at == 0 || s.hash == h {
			return s.at - 1
		}
	}
}
