"""A carrier stand-in that really speaks FTP, FTPS with TLS session reuse, and SFTP. For laptops and tests only."""
