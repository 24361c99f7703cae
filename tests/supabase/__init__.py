"""A Supabase project to test on: real PostgREST, and stand-ins for its gateway, sign-in and Storage."""
