// A second implementation of envelopes, by Go's crypto/hpke. Reads one JSON object, writes one; bytes are hexadecimal.
package main

import (
	"crypto/hpke"
	"encoding/hex"
	"encoding/json"
	"os"
)

func bytesOf(text string) []byte {
	found, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return found
}

func main() {
	var asked struct{ Seed, Info, Text, Content string }
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	key, err := hpke.MLKEM768X25519().NewPrivateKey(bytesOf(asked.Seed))
	if err != nil {
		panic(err)
	}
	kdf, aead, info := hpke.HKDFSHA256(), hpke.AES256GCM(), bytesOf(asked.Info)
	opened, err := hpke.Open(key, kdf, aead, info, bytesOf(asked.Content))
	if err != nil {
		panic(err)
	}
	sealed, err := hpke.Seal(key.PublicKey(), kdf, aead, info, bytesOf(asked.Text))
	if err != nil {
		panic(err)
	}
	answer := map[string]string{
		"public":  hex.EncodeToString(key.PublicKey().Bytes()),
		"opened":  hex.EncodeToString(opened),
		"content": hex.EncodeToString(sealed),
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		panic(err)
	}
}
