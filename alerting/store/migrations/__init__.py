"""Migrations of the state database, one file per revision; see the README of the store."""
