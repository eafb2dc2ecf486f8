import { describe, expect, test } from 'vitest';
import { scramVerifier, verifierKind, verifierMatches } from '../../../src/facts/postgres/scram.ts';
import { Secret } from '../../../src/hosts/secret.ts';

// What PostgreSQL 15 itself stored for these passwords.
const MD5_OF_TESTER = 'md5eb4f9a4bb3cd8a61377533e571f89f8f';
const PREPARED =
  'SCRAM-SHA-256$4096:+Tep+Xn5dqGQcjKo/NAUhA==$l+FWwjXg0l+3hMB9ThOoDEvfQ/mdNyO3p0iZ56jYpMs=:5EhdEXaNptsPeqZoO6e47Xi3/GKbu/tjYi6Nhh9H6P8=';
const WITH_TAB =
  'SCRAM-SHA-256$4096:dLGHqK9S8XBm17qcHLXAhQ==$vns+LC4hKgKtmnSM/rOCiE9ONLet8MBXjim+GC1dlzM=:fZrHUldjzxhF0+Y+KCKUCGr9LVeSQFvzSUt0NeQ0JZI=';

describe('SCRAM verifiers', () => {
  test('are what the exchange printed in RFC 7677 leads to', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });

  test('match their password, with their own salt and rounds, and no other', () => {
    const verifier = scramVerifier(new Secret(`a'b"c$ \\:%`, 'test'), Buffer.from('0123456789abcdef'), 5000);
    expect(verifierKind(verifier)).toBe('scram-sha-256');
    expect(verifierMatches(verifier, `a'b"c$ \\:%`, 'any')).toBe(true);
    expect(verifierMatches(verifier, `a'b"c$ \\:`, 'any')).toBe(false);
  });

  test('md5 verifiers hang on the name of the role', () => {
    expect(verifierKind(MD5_OF_TESTER)).toBe('md5');
    expect(verifierMatches(MD5_OF_TESTER, 'pencil', 'tester')).toBe(true);
    expect(verifierMatches(MD5_OF_TESTER, 'pencil', 'other')).toBe(false);
  });

  test('a password beyond ASCII is prepared as the server prepares it', () => {
    expect(verifierMatches(PREPARED, '\u2168 a\u00a0\u00adé\u0131', 'tester')).toBe(true);
    expect(verifierMatches(PREPARED, 'IX a é\u0131', 'tester')).toBe(true);
    expect(verifierMatches(WITH_TAB, 'tab\tü', 'tester')).toBe(true);
    expect(verifierMatches(WITH_TAB, 'tab ü', 'tester')).toBe(false);
  });

  test('no verifier matches no password', () => {
    expect(verifierMatches(null, '', 'user')).toBe(false);
    expect(verifierKind('plain')).toBe('unknown');
    expect(verifierMatches('plain', 'plain', 'user')).toBe(false);
  });
});
