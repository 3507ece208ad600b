"""No models. Django tells only apps with this module that migrations have ended, see apps.py."""
