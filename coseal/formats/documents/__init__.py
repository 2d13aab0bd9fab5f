"""Documents of trade: orders, despatch and receipt advices, invoices and credit notes, as UBL and CII write them."""
