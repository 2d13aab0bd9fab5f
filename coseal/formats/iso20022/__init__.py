"""Messages of ISO 20022: payments and reserve instructions that come in, statements and reports that go out."""
