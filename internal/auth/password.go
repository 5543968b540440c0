package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"attune/internal/fault"

	"golang.org/x/crypto/argon2"
)

// The cost of a password, as OWASP asks at least (2024): 19 MiB, 2 passes, one
// lane. A hash carries its own cost, so that raising these spares old ones.
const (
	argonMemory = 19 * 1024 // KiB
	argonPasses = 2
	argonLanes  = 1
	argonLength = 32
)

// MinPassword and maxPassword are password lengths, in characters. Longer ones are refused before they are
// hashed, as they would only cost time.
const (
	MinPassword = 10
	maxPassword = 200
)

func hashPassword(password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < MinPassword || n > maxPassword {
		return "", fault.New(fault.Invalid, "account.password.length", MinPassword)
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, argonLength)
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", argonMemory, argonPasses, argonLanes, b.EncodeToString(salt), b.EncodeToString(key)), nil
}

// verify reports whether the password is the hash's.
func verify(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || utf8.RuneCountInString(password) > maxPassword {
		return false
	}
	var memory, passes uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) == 0 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// nobody is the hash that a login without an account is checked against, so
// that the time taken does not tell which logins exist. No password has it.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
